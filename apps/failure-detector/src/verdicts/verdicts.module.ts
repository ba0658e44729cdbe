import { Module } from '@nestjs/common';
import { DetectionModule } from '../detection/detection.module.js';
import { VerdictPublisherService } from './verdict-publisher.service.js';

@Module({ imports: [DetectionModule], providers: [VerdictPublisherService] })
export class VerdictsModule {}
